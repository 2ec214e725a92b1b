import matplotlib.pyplot as plt
import numpy as np
from scipy import interpolate, optimize, stats

rng = np.random.RandomState(0)
x = np.linspace(0, 4, 40)
y = 2.5 * np.exp(-1.3 * x) + 0.2 * rng.normal(size=40)
(a, b), _ = optimize.curve_fit(lambda t, a, b: a * np.exp(-b * t), x, y)
plt.plot(x, y, ".", x, a * np.exp(-b * x), "r-")
plt.plot(x, interpolate.UnivariateSpline(x, y, s=2)(x), "g--")
plt.plot(x, stats.norm.pdf(x, 1, 0.5), ":")
plt.title(f"a={a:.2f} b={b:.2f}")
plt.show()
