"""What `gandyn analyze --json` prints, key by key: the schema that the page documents and the tests hold it to."""

from __future__ import annotations

# (key, types in JSON Schema's words with | between them, what it is). A key with "null" may have found no answer; the
# reason is in "skipped". Infinity is the text "inf", as JSON has no such number.
FIELDS: tuple[tuple[str, str, str], ...] = (
    ("gandyn", "string", "version that computed it"),
    ("game", "string", "name of the game"),
    ("rule", "string|null", "call of the rule; null for the gradient flow"),
    ("players", "object", "number of coordinates of each player, by name"),
    ("zero_sum", "boolean", "whether the costs add up to 0"),
    ("costs", "array", "cost of each player, as text that the library reads again"),
    ("field", "array", "v, one text for each coordinate"),
    ("equilibria", "array", "known ones, each a list of texts"),
    ("at", "array", "the point; a coordinate with a free parameter is text"),
    ("symbols", "array", "coordinates of the augmented state, by name"),
    ("verdict", "string", "of the linear part: attracting, repelling, marginal, undecided, ..."),
    ("fate", "string", "the verdict, or what non-linear terms decide where that is marginal"),
    ("reason", "string", "what the verdict rests on"),
    ("equilibrium", "boolean", "whether the dynamics rest at the point"),
    ("residual", "number|string|null", "size of the field, or of one step, at the point"),
    ("matrix", "array|null", "-J for the flow, the derivative of the augmented map for a rule; rows"),
    ("characteristic_polynomial", "string|null", "in z, exact"),
    ("eigenvalues", "array|null", "{re, im} each, largest first"),
    ("eigenvalues_exact", "array|null", "as text, where they have a closed form"),
    ("eigenvectors", "array|null", "right eigenvectors, a list of {re, im} for each row"),
    ("spectral_radius", "number|null", "largest modulus, for a rule"),
    ("spectral_radius_exact", "string|null", "the same in closed form"),
    ("spectral_abscissa", "number|null", "largest real part, for the flow"),
    ("spectral_abscissa_exact", "string|null", "the same in closed form"),
    ("rate", "number|string|null", "-log of the radius per step, or -abscissa per time; positive where errors shrink"),
    ("rotation_number", "number|null", "turns per step or unit of time of the leading eigenvalue"),
    ("nonlinear", "object|null", "what decided where the linear part does not"),
    ("constraints", "object|null", "active bounds at the point, for a constrained game"),
    ("product_error", "number|null", "largest error of a matrix-free product, where one was used"),
    ("note", "string", "what else to know of the linear part; may be empty"),
    ("in_short", "object", "verdict and advice in words; by rule, the first interval of steps that attract"),
    ("map", "object|null", "the update map: an expression for each coordinate of the augmented state"),
    ("classification", "object|null", "what kind of solution the point is: label, nash, minimax, own optima"),
    ("decomposition", "object|null", "J = S + A: the matrices and the kind"),
    ("stability", "object|null", "conditions; never; critical {exact, value, ...}; intervals; best; kind if numeric"),
    ("critical_time_scale", "object|null", "tau above which the flow attracts: exact, value; attracting: intervals"),
    ("backward_error", "object|null", "modified_flow or high_resolution, and drift"),
    ("conserved", "array|null", "conserved quantities, as text"),
    ("lyapunov", "object|null", "a quadratic function that falls, its matrix, and how it was verified"),
    ("noise", "object|null", "with --noise, or for a game that draws batches: stationary law and mean-square limit"),
    ("global", "object|null", "with --global: equilibria and cycles of the flow in the box around the point"),
    ("closed_orbits", "array|null", "with --global: invariant circles and periodic orbits of the rule"),
    ("bifurcations", "array|null", "with --global: lr, kind, criticality, coefficient, point of each"),
    ("lyapunov_exponents", "object|null", "with --global: exponents of an orbit and their bands"),
    ("certificate", "object|null", "with --global: what ball arithmetic proves, with a basin"),
    ("skipped", "object", "for each section that is missing, why"),
)  # fmt: skip

NOT_ALWAYS = frozenset(
    ("noise", "global", "closed_orbits", "bifurcations", "lyapunov_exponents", "certificate", "spectral_radius_exact")
) | {"spectral_abscissa_exact", "characteristic_polynomial"}


def schema() -> dict[str, object]:
    """The JSON Schema of the answer (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gandyn analyze --json",
        "type": "object",
        "properties": {
            key: {"type": types.split("|") if "|" in types else types, "description": about}
            for key, types, about in FIELDS
        },
        "required": [key for key, _, _ in FIELDS if key not in NOT_ALWAYS],
        "additionalProperties": False,
    }
