import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots(layout="constrained")
x = np.arange(0, 360, 1)
ax.plot(x, np.sin(2 * x * np.pi / 180))
ax.set_xlabel("angle [degrees]")
top = ax.secondary_xaxis("top", functions=(np.deg2rad, np.rad2deg))
top.set_xlabel("angle [rad]")
plt.show()
