import matplotlib.pyplot as plt
import numpy as np

x = np.array([0.0, 1, 0, 1, 0.5])
y = np.array([0.0, 0, 1, 1, 0.4])
plt.tripcolor(x, y, x + y, cmap="autumn")
plt.triplot(x, y, "k.-")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

x = np.array([0.0, 1, 0, 1, 0.5])
y = np.array([0.0, 0, 1, 1, 0.4])
plt.tripcolor(x, y, x + y, cmap="autumn")
