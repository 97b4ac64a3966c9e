"""Local linear theory: the derivative of the flow or of a rule's augmented map, and what its spectrum decides."""

from __future__ import annotations

import dataclasses
import enum
import functools
from typing import Any

import numpy as np

from ..errors import NotDifferentiableError, ParameterError, ShapeError
from ..results import Result, plain
from ..types import Array, Game, Rule, State
from ..worlds import SYMBOLS, exact, is_symbolic
from .exact import ExactLinearization
from .implicit import implicit_jacobian, implicit_jacobian_torch, is_implicit
from .local import LocalDynamics
from .nonlinear import NonlinearDecision

EXACT_SIZE = 32
ON_BOUNDARY = 1e-9


class Verdict(enum.StrEnum):
    """What the linearisation says of the point. The value is its own message."""

    ATTRACTING = "attracting"
    REPELLING = "repelling"
    SADDLE = "saddle"
    MARGINAL = "marginal"
    DEFECTIVE = "unstable by a defective eigenvalue on the boundary"
    UNDECIDED = "undecided"


@dataclasses.dataclass(frozen=True, repr=False)
class Linearization(Result):
    """The linear part at a point, of the flow (matrix -J) or of a rule's augmented map (matrix DF).

    Attributes:
        game, rule: what was linearised; rule is None for the flow.
        at: the point, shape (d,).
        symbols: names of the augmented coordinates.
        residual: |F(z) - z| or |v(w)|: zero at an equilibrium.
        exact: the exact linearisation, None where the game is not symbolic or the point not exact.
        obstacle: why there is no derivative, where there is none.
        local: the dynamics around the point as Taylor series, where they are given by expressions.
    """

    game: Game
    rule: Rule | None
    at: Any
    symbols: tuple[str, ...]
    residual: float
    numeric: Any
    exact: ExactLinearization | None
    obstacle: str = ""
    local: LocalDynamics | None = None

    _plot = "linearization"

    @property
    def matrix(self) -> Any:
        """The derivative as a NumPy array, (D, D).

        Raises:
            ParameterError: while a parameter has no value. DomainError: where there is no derivative.
        """
        if self.obstacle:
            raise NotDifferentiableError(self.obstacle, "a smooth point", "give a state away from zero moments")
        if self.numeric is None:
            assert self.exact is not None
            names = ", ".join(map(str, self.exact.parameters))
            raise ParameterError(
                f"a numeric matrix while {names} has no value", "numbers", "set the parameter, or read `.exact.matrix`"
            )
        return self.numeric

    @functools.cached_property
    def eigenvalues(self) -> Any:
        """Eigenvalues, a complex NumPy array, largest modulus (maps) or real part (flows) first."""
        matrix = self.matrix
        if self._decidable:
            from .polynomials import double_roots

            assert self.exact is not None
            values = np.array([r for f, m in self.exact.parts for r in double_roots(f) for _ in range(m)])
        else:
            values = np.linalg.eigvals(matrix).astype(complex)
        keys = values.real if self.rule is None else np.abs(values)
        return values[np.lexsort((-values.imag, -np.round(keys, 14)))]

    @functools.cached_property
    def eigenvectors(self) -> Any:
        """Unit right eigenvectors as columns, in the order of `eigenvalues`; (nearly) parallel where defective."""
        values, vectors = np.linalg.eig(self.matrix)
        order, free = [], list(range(len(values)))
        for target in self.eigenvalues:
            nearest = min(free, key=lambda k: abs(values[k] - target))
            free.remove(nearest)
            order.append(nearest)
        return vectors[:, order]

    @property
    def _decidable(self) -> bool:
        return self.exact is not None and not self.exact.parameters and self.exact.matrix.rows <= EXACT_SIZE

    @property
    def spectral_radius(self) -> float | None:
        """Largest modulus of the map's eigenvalues; None for a flow."""
        return None if self.rule is None else float(np.abs(self.eigenvalues).max())

    @property
    def spectral_abscissa(self) -> float | None:
        """Largest real part of the flow's eigenvalues; None for a map."""
        return float(self.eigenvalues.real.max()) if self.rule is None else None

    @property
    def rate(self) -> float:
        """r in error ~ e^(-r t): -log(spectral radius) a step, minus the spectral abscissa of a flow; below 0 it grows.

        Infinite where the map's linear part dies out in finitely many steps.
        """
        if self.rule is None:
            return 0.0 - float(self.eigenvalues.real.max())
        with np.errstate(divide="ignore"):
            return 0.0 - float(np.log(np.abs(self.eigenvalues).max()))

    @property
    def e_folding_time(self) -> float:
        """Steps, or time, in which the error falls by a factor e: 1 / rate; infinite unless the rate is positive."""
        return 1 / self.rate if self.rate > 1e-15 else float("inf")

    @property
    def rotation_number(self) -> float:
        """How fast the leading error turns: turns a step (in [0, 1/2]) for a map, turns per unit of time for a flow.

        The leading eigenvalue is that of largest modulus, or real part, and of conjugates the one above the axis: its
        argument over 2 pi, or its imaginary part over 2 pi. Exact in `.exact.rotation_number`.
        """
        values = self.eigenvalues
        keys = values.real if self.rule is None else np.abs(values)
        leading = values[keys > keys.max() - 1e-12 * max(1.0, abs(keys.max()))]
        turning = leading.imag if self.rule is None else np.angle(leading)
        return float(np.abs(turning).max() / (2 * np.pi))

    @property
    def verdict(self) -> Verdict:
        """What the spectrum decides."""
        return self._decision[0]

    @property
    def reason(self) -> str:
        """The argument behind the verdict; at a marginal point, what decides beyond the linear part, or why nothing."""
        beyond = self.nonlinear
        return self._decision[1] if beyond is None else f"{self._decision[1]}; beyond it: {beyond.summary()}"

    @functools.cached_property
    def nonlinear(self) -> NonlinearDecision | None:
        """What decides where the linear part is silent (verdict marginal); None where the linear part has spoken.

        The first non-vanishing coefficient of the normal form on the centre manifold, a conserved quantity with a
        definite Hessian, or exact linearity; its own verdict may be "undecided", with what is missing.
        """
        from .nonlinear import decide

        return decide(self) if self.verdict is Verdict.MARGINAL else None

    @functools.cached_property
    def _decision(self) -> tuple[Verdict, str]:
        if self.obstacle:
            return Verdict.UNDECIDED, self.obstacle
        if self.exact is not None and self.exact.parameters:
            names = ", ".join(map(str, self.exact.parameters))
            return Verdict.UNDECIDED, f"it depends on {names}"
        if self._decidable:
            verdict, reason = self._decide_exactly()
            reason += self._defect() if verdict is not Verdict.DEFECTIVE else ""
        else:
            verdict, reason = self._decide_numerically()
        if self.residual > 1e-8:
            reason += f"; the point is not an equilibrium (residual {self.residual:.1e})"
        return verdict, reason

    def _defect(self) -> str:
        """Jordan blocks off the boundary: they decide nothing, but errors grow before they fall."""
        assert self.exact is not None
        names = [
            f"a defective eigenvalue, root of {f.as_expr()}, {m}-fold with too few eigenvectors"
            for f, m in self.exact.defects
        ]
        return f"; {' and '.join(names)}: errors carry a factor growing like t" if names else ""

    def _decide_exactly(self) -> tuple[Verdict, str]:
        from .polynomials import place

        assert self.exact is not None
        placement = place(self.exact.parts, flow=self.rule is None)
        line = "the imaginary axis" if self.rule is None else "the unit circle"
        how = "exact characteristic polynomial" if placement.certain else "eigenvalues to 40 digits"
        if placement.outside:
            kind = Verdict.SADDLE if placement.inside or placement.boundary else Verdict.REPELLING
            return kind, f"{placement.outside} of {self.exact.matrix.rows} eigenvalues beyond {line} ({how})"
        if not placement.boundary:
            return Verdict.ATTRACTING, f"all eigenvalues on the stable side of {line} ({how})"
        for item in placement.boundary_factors:
            if item in self.exact.defects:
                return Verdict.DEFECTIVE, (
                    f"an eigenvalue on {line} has a Jordan block: the linear part grows polynomially ({how})"
                )
        return Verdict.MARGINAL, (
            f"{placement.boundary} eigenvalues on {line}, semisimple: the linear part stays bounded "
            f"and does not decide ({how})"
        )

    def _decide_numerically(self) -> tuple[Verdict, str]:
        values = self.eigenvalues
        distances = values.real if self.rule is None else np.abs(values) - 1
        scale = max(1.0, float(np.abs(values).max()))
        line = "the imaginary axis" if self.rule is None else "the unit circle"
        if (np.abs(distances) <= ON_BOUNDARY * scale).any():
            return Verdict.UNDECIDED, f"an eigenvalue within {ON_BOUNDARY:g} of {line}, in floating point"
        if (distances < 0).all():
            return Verdict.ATTRACTING, f"all eigenvalues on the stable side of {line} (floating point)"
        kind = Verdict.REPELLING if (distances > 0).all() else Verdict.SADDLE
        return kind, f"{int((distances > 0).sum())} of {len(values)} eigenvalues beyond {line} (floating point)"

    def summary(self) -> str:
        """Point, spectrum, verdict and its reason."""
        what = "gradient flow" if self.rule is None else repr(self.rule)
        lines = [f"{what} on {self.game.name} at ({', '.join(map(str, self.at))})"]
        if self.exact is not None and self.exact.matrix.rows <= 6 and not self.obstacle:
            lines.append(f"characteristic polynomial: {self.exact.charpoly}")
        if not self.obstacle and self.numeric is not None:
            lines.append("eigenvalues: " + ", ".join(f"{v:.6g}" for v in self.eigenvalues))
            measure = ("spectral abscissa", self.spectral_abscissa)
            if self.rule is not None:
                measure = ("spectral radius", self.spectral_radius)
            lines.append(f"{measure[0]}: {measure[1]:.12g}")
            unit = "time" if self.rule is None else "step"
            lines.append(f"rate: {self.rate:.6g} per {unit}; rotation number: {self.rotation_number:.6g} per {unit}")
        lines.append(f"verdict: {self.verdict} ({self._decision[1]})")
        if self.nonlinear is not None:
            lines.append(f"beyond the linear part: {self.nonlinear.summary()}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Numbers, exact forms as text, and the verdict."""
        known = not self.obstacle and self.numeric is not None
        data = {
            "game": self.game.name,
            "rule": None if self.rule is None else repr(self.rule),
            "at": [str(x) if is_symbolic(x) else x for x in self.at],
            "symbols": self.symbols,
            "matrix": self.matrix if known else None,
            "eigenvalues": self.eigenvalues if known else None,
            "spectral_radius": self.spectral_radius if known else None,
            "spectral_abscissa": self.spectral_abscissa if known else None,
            "rate": self.rate if known and np.isfinite(self.rate) else None,
            "rotation_number": self.rotation_number if known else None,
            "eigenvectors": self.eigenvectors if known else None,
            "verdict": self.verdict,
            "reason": self.reason,
            "nonlinear": None if self.nonlinear is None else self.nonlinear.to_dict(),
            "residual": self.residual,
        }
        if self.exact is not None and not self.obstacle:
            data["characteristic_polynomial"] = str(self.exact.charpoly)
        result: dict[str, Any] = plain(data)
        return result

    def __repr__(self) -> str:
        return f"<Linearization {self.summary()}>"


def linearize(
    game: Game, rule: Rule | None = None, at: Any = None, state: State | None = None, rng: Any = 0
) -> Linearization:
    """Linearise the gradient flow (rule=None) or a rule's update map at a point.

    For the flow dw/dt = -v(w) the matrix is -J(w). For a rule it is the derivative of z -> z+ on the augmented state
    z = (w, state arrays), so that rules with memory show their true spectral radius; step counters are taken at
    infinity. Symbolic games are linearised exactly, torch games by automatic differentiation.

    Args:
        game: the game. rule: an update rule, or None for the flow.
        at: the point, shape (d,); the game's first known equilibrium by default. Numbers are read as decimals.
        state: the rule's state; by default the one it starts from at the point.
        rng: seed of the batch of a stochastic game, the same in every evaluation.

    Raises:
        ParameterError: without a point, for a game with no known equilibrium.
        DomainError: if the game lies outside the rule's domain.

    Example:
        >>> import gandyn as gd
        >>> gd.linearize(gd.games.bilinear(), gd.rules.GDA(0.2)).exact.spectral_radius
        sqrt(26)/5
    """
    if at is None:
        if not game.equilibria:
            raise ParameterError(
                f"no point to linearise {game.name} at", "a point", "at=gd.fixed_points(game)[0].point"
            )
        at = game.equilibria[0]
    if rule is not None:
        rule.check(game)
    if SYMBOLS in game.worlds and game.deterministic:
        return _linearize_symbols(game, rule, at, state)
    return _linearize_torch(game, rule, at, state, rng)


def _linearize_symbols(game: Game, rule: Rule | None, at: Any, state: State | None) -> Linearization:
    import sympy

    _refuse_ensemble(game, at)
    point = np.array([*map(exact, _entries(at)), None], dtype=object)[:-1]
    game.check(point)
    digits = None
    if not all(map(_vanishes, game.field(point))):  # not exactly an equilibrium: no exact answer to keep
        point = np.array([*(sympy.N(e, 40) for e in point), None], dtype=object)[:-1]
        digits = 40
    names: tuple[Any, ...] = tuple(getattr(game, "symbols", range(game.dim)))
    obstacle, z = "", list(point)
    local = LocalDynamics.of_flow(game, z) if rule is None else None
    if rule is None:
        what = f"the flow of {game.name}"
        derive = functools.partial(_flow_matrix, game, point)
    elif is_implicit(game, rule):
        what = f"{rule!r} on {game.name}"
        derive = functools.partial(implicit_jacobian, game, rule, point)
    else:
        from ..dynamics.trace import update_map

        what = f"{rule!r} on {game.name}"
        traced = update_map(game, rule)
        start = rule.init(game, point) if state is None else state
        z += [exact(e) for _, array in start.leaves() for e in array]
        names = traced.symbols
        derive = functools.partial(traced.jacobian_at, z)
        local = LocalDynamics.of_map(traced, z)
    try:
        image, matrix = _first_order(local, bool(digits)) or derive()
        value = image if rule is None else image - sympy.Matrix(z)
    except NotDifferentiableError as error:
        obstacle, matrix = f"{what} has {error.given}", sympy.zeros(len(z))
        value = sympy.Matrix(game.field(point))
    matrix = sympy.ImmutableMatrix(matrix)
    free = tuple(sorted(matrix.free_symbols, key=str))
    numeric = None if free or obstacle else np.array([[complex(e) for e in row] for row in matrix.tolist()])
    if numeric is not None and not numeric.imag.any():
        numeric = numeric.real
    known = not obstacle and (not digits or free)  # with free parameters the decimals of the point stand for it
    exact_part = ExactLinearization(matrix, rule is None, free) if known else None
    sample = {s: sympy.Rational(k, 7) for k, s in enumerate(sorted(sympy.Matrix(value).free_symbols, key=str), 1)}
    residual = float(sum(abs(complex(e.xreplace(sample))) ** 2 for e in value)) ** 0.5
    at_numbers = tuple(e if e.free_symbols else float(e) for e in point)
    return Linearization(game, rule, at_numbers, tuple(map(str, names)), residual, numeric, exact_part, obstacle, local)


def _vanishes(e: Any) -> bool:
    import sympy

    return bool(e == 0) if e.is_Rational else bool(sympy.simplify(e) == 0)


def _first_order(local: LocalDynamics | None, decimal: bool) -> tuple[Any, Any] | None:
    """(F(z), DF(z)) by power series; None where it takes symbols: free parameters, other irrational numbers.

    Raises:
        NotDifferentiableError: at a kink, or where a slope is infinite (Adam at an equilibrium).
    """
    from ..symbolic.exponentials import finest
    from ..symbolic.taylor import Decimal, KinkError, NoExpansionError, PoleError, Rational

    if local is None:
        return None
    expand = functools.partial(_expand_at, local)
    try:
        try:
            return expand(Decimal if decimal else Rational)
        except (KinkError, PoleError):
            raise
        except NoExpansionError:
            return None if decimal else finest(expand)
    except (KinkError, PoleError) as error:
        raise NotDifferentiableError(
            f"no derivative at this point: {error.given}",
            "a point where the map is smooth",
            "a nearby point, or a state off the kink",
        ) from None
    except NoExpansionError:
        return None


def _expand_at(local: LocalDynamics, arithmetic: Any) -> tuple[Any, Any]:
    import sympy

    rows = local.series(1, arithmetic)
    n, zero = len(rows), arithmetic.number(sympy.Integer(0))
    number = arithmetic.symbolic
    image = sympy.Matrix([number(row.get((), zero)) for row in rows])
    return image, sympy.Matrix(n, n, [number(row.get((k,), zero)) for row in rows for k in range(n)])


def _flow_matrix(game: Game, point: Array) -> tuple[Any, Any]:
    """(v, -J) at the point; entry by entry where the field is given by expressions, so that kinks are seen."""
    import sympy

    from ..symbolic.kinks import slope_at

    v = sympy.Matrix(game.field(point))
    expressions = getattr(game, "field_exprs", None)
    if expressions is None:
        return v, -sympy.Matrix(game.jacobian(point))
    symbols = game.symbols  # type: ignore[attr-defined]
    values = dict(zip(symbols, point, strict=True))
    return v, sympy.Matrix([[-slope_at(e, s, values) for s in symbols] for e in expressions])


def _refuse_ensemble(game: Game, at: Any) -> None:
    shape = np.shape(np.asarray(at, dtype=object)) if not hasattr(at, "shape") else tuple(at.shape)
    if len(shape) > 1:
        raise ShapeError(
            f"{'an empty ensemble' if 0 in shape else 'an ensemble'} of points, shape {shape}",
            f"one point, shape ({game.dim},)",
            "linearize each point: [gd.linearize(game, rule, at=w) for w in points]",
        )


def _entries(at: Any) -> list[Any]:
    return at.tolist() if hasattr(at, "tolist") else list(at)


def _linearize_torch(game: Game, rule: Rule | None, at: Any, state: State | None, rng: Any) -> Linearization:
    import torch

    _refuse_ensemble(game, at)
    w = at if isinstance(at, torch.Tensor) else torch.tensor(np.asarray(at, dtype=float))
    game.check(w)
    seed = rng if isinstance(rng, (int, np.integer)) else 0
    if rule is None:
        z = w

        def move(x: Array) -> Array:
            return -game.field(x, game.draw(np.random.default_rng(seed)))
    else:
        start = rule.init(game, w, np.random.default_rng(seed)) if state is None else state
        sizes = [w.shape[-1], *(array.shape[-1] for _, array in start.leaves())]
        z = torch.cat([w, *(array for _, array in start.leaves())])
        counters = [count for _, count in start.counter_leaves()]

        def move(x: Array) -> Array:
            point, *arrays = x.split(sizes)
            inner = start.replace_leaves(iter(arrays), iter(counters))
            w_next, after, _ = rule.step(game, point, inner, np.random.default_rng(seed))
            return torch.cat([w_next, *(array for _, array in after.leaves())])

    if rule is not None and is_implicit(game, rule):
        moved, matrix = implicit_jacobian_torch(game, rule, w, seed)
    else:
        matrix = torch.autograd.functional.jacobian(move, z.detach())  # type: ignore[no-untyped-call]
        moved = move(z.detach()).detach()
    residual = float((moved if rule is None else moved - z).norm())
    names = tuple(f"z{k + 1}" for k in range(z.shape[-1]))
    finite = bool(torch.isfinite(matrix).all())
    obstacle = "" if finite else f"the map of {rule!r} on {game.name} has no finite derivative at this point"
    at_numbers = tuple(w.detach().cpu().tolist())
    return Linearization(game, rule, at_numbers, names, residual, matrix.cpu().numpy(), None, obstacle)
