import numpy as np
import matplotlib.pyplot as plt

np.random.seed(42)
n = 60
x, y = np.random.rand(n), np.random.rand(n)
plt.scatter(x, y, s=(30 * np.random.rand(n)) ** 2, c=np.random.rand(n), alpha=0.5, cmap="viridis")
plt.colorbar(label="weight")
plt.show()
