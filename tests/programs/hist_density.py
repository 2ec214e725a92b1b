import matplotlib.pyplot as plt
import numpy as np

np.random.seed(0)
mu, sigma = 106, 17
x = np.random.normal(mu, sigma, 420)
fig, ax = plt.subplots()
n, bins, patches = ax.hist(x, 30, density=True, alpha=0.75, edgecolor="k")
y = 1 / (np.sqrt(2 * np.pi) * sigma) * np.exp(-0.5 * ((bins - mu) / sigma) ** 2)
ax.plot(bins, y, "--", lw=2)
ax.set_xlabel("Value")
ax.set_title(r"Histogram: $\mu=106$, $\sigma=17$")
plt.show()
