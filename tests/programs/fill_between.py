import matplotlib.pyplot as plt
import numpy as np

x = np.arange(0.0, 2, 0.01)
y1, y2 = np.sin(2 * np.pi * x), 0.8 * np.sin(4 * np.pi * x)
fig, ax = plt.subplots()
ax.plot(x, y1, x, y2, color="black")
ax.fill_between(x, y1, y2, where=y2 > y1, facecolor="green", alpha=0.4, interpolate=True)
ax.fill_between(x, y1, y2, where=y2 <= y1, facecolor="red", alpha=0.4, interpolate=True)
ax.axhline(0, color="gray", lw=0.8)
plt.show()
