"""Small data sets in memory and on disk."""

import gandyn as gd

datasets = gd.gans.datasets
