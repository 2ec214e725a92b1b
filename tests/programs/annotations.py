import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
t = np.arange(0.0, 5.0, 0.01)
ax.plot(t, np.cos(2 * np.pi * t), lw=2)
ax.annotate("local maximum", xy=(3, 1), xycoords="data", xytext=(0.01, 0.99), textcoords="axes fraction", va="top",
            arrowprops=dict(facecolor="black", shrink=0.05))
ax.annotate("fancy", xy=(1, -1), xytext=(60, -20), textcoords="offset points", bbox=dict(boxstyle="round4", fc="w"),
            arrowprops=dict(arrowstyle="fancy", connectionstyle="arc3,rad=-0.3"))
ax.set_ylim(-2, 2)
plt.show()
