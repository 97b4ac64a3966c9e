"""Limit cycles of flows, and invariant circles and periodic orbits of rules.

`cycles` is the public function; `closed_orbit` has what it returns. A flow: `no_cycles` proves that there are none; in
the plane `planar_cycles` solves for the fixed points of a `return_map`, which `return_scan` brackets; in more
dimensions `flow_cycles` shoots. Both integrate a `scaled_field` by `stiff_steps`. A rule: `invariant_circles` searches,
`circle_solver` and `rational_circles` solve for curves, `periodic_orbits` for orbits.
"""
