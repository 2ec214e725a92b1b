import matplotlib.pyplot as plt
import numpy as np

x, y = np.meshgrid(np.linspace(-2, 2, 12), np.linspace(-2, 2, 12))
fig, axs = plt.subplots(2, 2, figsize=(8, 6))
axs[0, 0].pcolor(x, y, x * y, cmap="magma")
axs[0, 1].contour(x, y, x * y, levels=5)
axs[1, 0].contourf(x, y, x + y, cmap="Greens")
axs[1, 1].pcolormesh(x, y, x - y)
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

x, y = np.meshgrid(np.linspace(-2, 2, 12), np.linspace(-2, 2, 12))
fig, axs = plt.subplots(2, 2, figsize=(8, 6))
axs[0, 0].pcolor(x, y, x * y)
axs[0, 1].contour(x, y, x * y, levels=5, cmap="viridis")
axs[1, 0].contourf(x, y, x + y, cmap="Greens")
axs[1, 1].imshow(x - y)
