import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler

plt.rc("lines", linewidth=4)
plt.rc("axes", prop_cycle=(cycler("color", ["r", "g", "b", "y"]) + cycler("linestyle", ["-", "--", ":", "-."])))
x = np.linspace(0, 2 * np.pi, 50)
plt.plot(np.transpose([np.sin(x + phi) for phi in np.linspace(0, 2 * np.pi, 4, endpoint=False)]))
plt.show()
