import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
picture = ax.imshow(np.arange(9).reshape(3, 3), cmap="Blues")
fig.colorbar(picture)
for i in range(3):
    for j in range(3):
        ax.text(j, i, f"{3 * i + j}", ha="center")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
ax.matshow(np.arange(9).reshape(3, 3), cmap="Blues")
for i in range(3):
    for j in range(2):
        ax.text(j, i, f"{3 * i + j}", ha="center")
