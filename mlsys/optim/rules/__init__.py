"""The update rules, a file each: state, body, coefficients, and the function that makes the Rule."""
