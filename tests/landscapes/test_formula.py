"""Typed formulas: what is read, what is refused and where, and that derivatives are exact."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lieapp.landscapes.catalog import SURFACES, formula_surface
from lieapp.landscapes.formula import MAX_DEPTH, MAX_LENGTH, FormulaError, parse_formula
from lieapp.landscapes.jets import FUNCTIONS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 + 3*4", 14.0),
        ("(2 + 3)*4", 20.0),
        ("2^3^2", 512.0),
        ("-x^2", -9.0),
        ("(-x)^2", 9.0),
        ("2**-1", 0.5),
        ("x - y - 1", 0.0),
        ("x / y / 3", 0.5),
        ("--x", 3.0),
        ("+x", 3.0),
        ("1.5e1 + .5 + 2.", 17.5),
        ("pi*e", math.pi * math.e),
        ("x² − 2·y", 5.0),
        ("abs(-X)", 3.0),
        ("exp(log(x)) + sqrt(y^2)", 5.0),
        ("x^y", 9.0),
        ("2^x", 8.0),
    ],
)
def test_value(text: str, expected: float) -> None:
    assert float(parse_formula(text).value(3.0, 2.0)) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "expected a formula"),
        ("x +", 4, "expected a number, x, y, a function or '('"),
        ("x + * y", 5, "not '*'"),
        ("2x", 2, "write products with *"),
        ("(x + 1", 7, "close the '(' of column 1"),
        ("x + 1)", 6, "expected an operator or the end"),
        ("sin x", 5, "expected '(' after sin"),
        ("x + foo(y)", 5, "not 'foo'"),
        ("xy", 1, "write products with *, as in x*y"),
        ("x + 1,5", 6, "numbers have a point"),
        ("x = 2", 3, "'='"),
        ("__import__('os').system('true')", 1, "not '__import__'"),
        ("x.__class__", 2, "'.'"),
        ("1e999", 1, "too large"),
    ],
)
def test_error_names_the_column(text: str, column: int, words: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert caught.value.column == column
    assert str(caught.value).startswith(f"column {column}: ")
    assert words in str(caught.value)


def test_limits() -> None:
    assert float(parse_formula("(" * (MAX_DEPTH - 1) + "x" + ")" * (MAX_DEPTH - 1)).value(2.0, 0.0)) == 2.0
    for text in ("(" * 300 + "x", "-" * 300 + "x", "x" + "^x" * 300, "sin(" * 300 + "x"):
        with pytest.raises(FormulaError, match="levels"):
            parse_formula(text)
    with pytest.raises(FormulaError, match="more than 1000 numbers"):
        parse_formula("x+" * 900 + "x")
    with pytest.raises(FormulaError, match="at most"):
        parse_formula("x + " * MAX_LENGTH + "x")


@given(st.text(alphabet="xy0123456789.+-*/^() sincoexpqrtablg²", max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        formula = parse_formula(text)
    except FormulaError as error:
        assert 1 <= error.column <= len(text) + 1
        assert "\n" not in str(error)
    else:
        assert np.isscalar(float(formula.value(0.3, 0.7)))


def _autograd(text: str, x0: float, y0: float) -> list[float]:
    x = torch.tensor(x0, dtype=torch.float64, requires_grad=True)
    y = torch.tensor(y0, dtype=torch.float64, requires_grad=True)
    value = parse_formula(text).value(x, y)
    first = torch.autograd.grad(value, (x, y), create_graph=True, materialize_grads=True)
    found = [value.item(), first[0].item(), first[1].item()]
    for part, inputs in ((first[0], (x, y)), (first[1], (y,))):
        if part.requires_grad:
            second = torch.autograd.grad(part, inputs, retain_graph=True, materialize_grads=True)
            found += [each.item() for each in second]
        else:
            found += [0.0] * len(inputs)
    return found


@pytest.mark.parametrize(
    "text",
    [
        *(f"{name}(x*y + 0.3*x^2) + x*{name}(0.7*y)" for name in FUNCTIONS),
        "x^3*y^2 - y^-2 + x^0 + x^1",
        "(x + y)^2.5 / (1 + x^2)",
        "x^y + 2^(x*y) + y^x",
        "1/(x*y) + 3",
        "7",
        *(surface.expression for surface in SURFACES.values()),
    ],
)
def test_derivatives_are_those_of_automatic_differentiation(text: str) -> None:
    for x, y in ((0.4, 0.9), (1.1, 0.3)):
        exact = [float(part) for part in parse_formula(text).derivatives(x, y)]
        np.testing.assert_allclose(exact, _autograd(text, x, y), rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose([float(part) for part in parse_formula(text).gradient(x, y)], exact[:3], rtol=1e-14)


@pytest.mark.parametrize(
    "text", ["(-2)^x", "x^y", "x^x", "(x - y)^(x*y)", "x^1e300", "x^-1e18", "(-8)^x*y", "0^x", "x^(1/3)"]
)
def test_a_picture_shows_a_value_where_a_run_finds_one(text: str) -> None:
    """Values alone, those beside derivatives, of numbers, arrays and tensors: the same, and real."""
    function = parse_formula(text)
    x, y = (part.ravel() for part in np.meshgrid((-2.0, -1.0, -0.5, 0.0, 0.5, 2.0), (-3.0, -1.0, 0.0, 1.0, 2.0, 2.5)))
    values = function.value(x, y)
    assert values.dtype == np.float64
    for other in (function.gradient(x, y)[0], function.derivatives(x, y)[0]):
        np.testing.assert_array_equal(values, other)
    np.testing.assert_array_equal(
        values, [function.value(*place) for place in zip(x.tolist(), y.tolist(), strict=True)]
    )
    np.testing.assert_allclose(values, function.value(torch.from_numpy(x), torch.from_numpy(y)).numpy(), rtol=1e-14)


FORMULAS = st.recursive(
    st.sampled_from(["x", "y", "0", "1", "2", "(-1)", "0.5", "1e300", "1e-320", "1e18", "pi"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/^"), inner).map(lambda parts: "({}){}({})".format(*parts)),
        st.tuples(st.sampled_from(sorted(FUNCTIONS)), inner).map(lambda parts: "{}({})".format(*parts)),
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=150)
@given(text=FORMULAS)
def test_any_formula_has_values_everywhere_and_the_same_with_derivatives(text: str) -> None:
    """Where it is not defined they are inf or nan; neither an exception nor a warning."""
    function = parse_formula(text)
    x, y = (part.ravel() for part in np.meshgrid((-2.0, -0.5, 0.0, 1.0, 1e300, math.inf), (-3.0, 0.0, 2.5, math.nan)))
    values = function.value(x, y)
    assert values.shape == x.shape and values.dtype == np.float64
    np.testing.assert_array_equal(values, function.gradient(x, y)[0])
    for part in (function.derivatives(x, y), function.derivatives(-1.0, 2.0), function.gradient(0.0, 0.0)):
        assert all(np.asarray(each).dtype == np.float64 for each in part)


@pytest.mark.parametrize("text", ["x/0", "y/(1 - 1)", "(x + y)/0 + x"])
def test_division_by_nothing_is_no_exception(text: str) -> None:
    assert not math.isfinite(parse_formula(text).derivatives(1.0, 2.0)[0])
    assert formula_surface(text).stationary_points == ()


def test_arrays_and_tensors_keep_their_shape() -> None:
    formula = parse_formula("x^2 + 1")
    grid = np.zeros((3, 4))
    assert all(part.shape == (3, 4) for part in formula.derivatives(grid, grid))
    tensor = torch.zeros(5, dtype=torch.float64)
    value, fx, fy = formula.gradient(tensor, tensor)
    assert value.shape == fx.shape == fy.shape == (5,)
    assert fy.dtype == torch.float64


def test_what_is_not_defined_is_no_exception() -> None:
    for text in ("1/x", "log(x)", "sqrt(x - 1)", "exp(exp(exp(10 + x)))"):
        assert not math.isfinite(float(parse_formula(text).derivatives(0.0, 0.0)[1])) or text == "1/x"
