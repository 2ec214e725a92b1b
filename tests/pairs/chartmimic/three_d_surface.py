import matplotlib.pyplot as plt
import numpy as np

ax = plt.figure().add_subplot(projection="3d")
x, y = np.meshgrid(np.linspace(-1, 1, 8), np.linspace(-1, 1, 8))
ax.plot_surface(x, y, x * y, cmap="coolwarm")
ax.contour(x, y, x * y, zdir="z", offset=-1)
ax.set_title("saddle")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

ax = plt.figure().add_subplot(projection="3d")
x, y = np.meshgrid(np.linspace(-1, 1, 8), np.linspace(-1, 1, 8))
ax.plot_surface(x, y, x * y, cmap=plt.cm.coolwarm)
ax.plot_wireframe(x, y, x * y, color="k")
ax.set_title("saddle")
