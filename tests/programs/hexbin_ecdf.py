import matplotlib.pyplot as plt
import numpy as np

rng = np.random.RandomState(19680801)
x = rng.standard_normal(5000)
y = 2.0 + 3.0 * x + 4.0 * rng.standard_normal(5000)
fig, (a, b) = plt.subplots(ncols=2, figsize=(9, 4))
hb = a.hexbin(x, y, gridsize=30, cmap="inferno", bins="log")
fig.colorbar(hb, ax=a, label="log10(N)")
b.ecdf(x, label="x")
b.legend()
plt.show()
