from mpl_toolkits.mplot3d import Axes3D  # noqa: F401
import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(1)
fig = plt.figure()
ax = fig.add_subplot(111, projection="3d")
for marker, low, high in [("o", -50, -25), ("^", -30, -5)]:
    ax.scatter(23 + 9 * rng.random(50), 100 * rng.random(50), low + (high - low) * rng.random(50), marker=marker)
ax.set_xlabel("X")
ax.set_zlabel("Z")
ax.view_init(elev=20, azim=35)
plt.show()
