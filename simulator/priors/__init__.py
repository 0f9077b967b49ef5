"""From a statement to a distribution: families, fits, tables, dependence, uniforms."""
