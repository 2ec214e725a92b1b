import matplotlib.pyplot as plt
import numpy as np

ax = plt.figure().add_subplot(projection="3d")
t = np.linspace(0, 6, 30)
ax.plot(np.cos(t), np.sin(t), t, color="navy")
ax.scatter([0, 1], [1, 0], [0, 1], color=["red", "lime"])
ax.set_zlabel("height")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

ax = plt.figure().add_subplot(projection="3d")
t = np.linspace(0, 6, 30)
ax.plot(np.cos(t), np.sin(t), t, color="blue")
ax.scatter([0, 1], [1, 0], [0, 1], c=[1, 2], cmap="cool")
ax.scatter([0], [0], [1])
ax.set_zlabel("height")
