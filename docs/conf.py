"""Sphinx settings. The catalogue pages, their formulas and their pictures come from the package while this builds."""

from __future__ import annotations

import os
import pathlib
import sys

os.environ.setdefault("MPLBACKEND", "Agg")
HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import explorer_file  # noqa: E402
import gallery  # noqa: E402

import gandyn  # noqa: E402

project = "gandyn"
author = "the gandyn authors"
copyright = "the gandyn authors"
release = version = gandyn.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
    "docstrings",
    "mathml",
    "catalogue",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "images", "generated/pictures", "generated/examples", "gallery/*.md5", "gallery/*.ipynb"]
default_role = "code"
smartquotes_action = "D"
nitpicky = False

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "gandyn"
html_static_path = ["_static"]
html_extra_path = [explorer_file.prepare(HERE / "generated" / "explorer")]
html_css_files = ["gandyn.css"]
html_copy_source = False
html_show_sourcelink = False

sphinx_gallery_conf = {
    "examples_dirs": str(HERE / "generated" / "examples"),
    "gallery_dirs": str(HERE / "gallery"),
    "filename_pattern": gallery.prepare(HERE.parent / "examples", HERE / "generated" / "examples"),
    "image_scrapers": ("gallery", "matplotlib"),
    "download_all_examples": False,
    "write_computation_times": False,
    "min_reported_time": 1e9,
    "plot_gallery": "True",
    "default_thumb_file": str(HERE / "images" / "gda_spiral.png"),
    "abort_on_example_error": True,
}
