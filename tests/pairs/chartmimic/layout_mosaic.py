import matplotlib.pyplot as plt
import numpy as np

fig, axd = plt.subplot_mosaic("AAB;CDB", layout="constrained")
for name, ax in axd.items():
    ax.set_title(name)
    ax.barh([1, 2], [1, 2])
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

fig, axs = plt.subplots(2, 2, layout="tight")
for name, ax in zip("ABCD", axs.flat):
    ax.set_title(name)
    ax.barh([1, 2], [1, 2])
