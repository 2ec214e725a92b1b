import matplotlib.pyplot as plt
import numpy as np

ax = plt.figure().add_subplot(projection="3d")
x, y = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 5))
ax.plot_surface(x, y, x + y, color="green", shade=False)
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

ax = plt.figure().add_subplot(projection="3d")
x, y = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 5))
ax.plot_surface(x, y, x + y, color="olive", shade=False)
