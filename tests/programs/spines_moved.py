import matplotlib.pyplot as plt
import numpy as np

x = np.linspace(-np.pi, np.pi, 100)
fig, ax = plt.subplots()
ax.plot(x, 2 * np.sin(x))
ax.spines[["left", "bottom"]].set_position("zero")
ax.spines[["top", "right"]].set_color("none")
plt.show()
