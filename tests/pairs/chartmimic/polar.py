import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots(subplot_kw=dict(projection="polar"))
angles = np.linspace(0, 2 * np.pi, 6)
ax.plot(angles, [1, 3, 2, 4, 2, 1], color="red")
ax.fill(angles, [1, 3, 2, 4, 2, 1], color="red", alpha=0.2)
ax.scatter(angles, [1, 3, 2, 4, 2, 1], color="black")
ax.set_title("radar")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

fig = plt.figure()
ax = fig.add_subplot(111, polar=True)
angles = np.linspace(0, 2 * np.pi, 6)
ax.plot(angles, [1, 3, 2, 4, 2, 1], color="firebrick")
ax.plot(angles, [2, 2, 2, 2, 2, 2], color="blue")
ax.scatter(angles, [1, 3, 2, 4, 2, 1], c=angles, cmap="hsv")
ax.set_title("radar")
