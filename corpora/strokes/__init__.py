"""The corpus "strokes": pen trajectories of short English lines, made of vector fonts by invented writers."""
