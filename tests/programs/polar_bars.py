import matplotlib.pyplot as plt
import numpy as np

np.random.seed(19680801)
n = 20
theta = np.linspace(0.0, 2 * np.pi, n, endpoint=False)
radii = 10 * np.random.rand(n)
ax = plt.subplot(projection="polar")
ax.bar(theta, radii, width=np.pi / 4 * np.random.rand(n), bottom=0.0, color=plt.cm.viridis(radii / 10.0), alpha=0.5)
plt.show()
