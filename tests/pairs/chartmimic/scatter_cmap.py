import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
dots = ax.scatter([1, 2, 3], [3, 2, 1], c=[1, 2, 3], cmap="plasma", s=[20, 60, 90])
fig.colorbar(dots, label="depth")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
dots = ax.scatter([1, 2, 3], [3, 2, 1], c=[1, 2, 3], cmap=plt.get_cmap("plasma"))
bar = fig.colorbar(dots)
bar.set_label("depth")
