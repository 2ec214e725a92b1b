import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
ax.plot([0, 1], [0, 1])
ax.axhline(0.5, color="red", ls="--")
ax.axvline(0.3, color="gray")
ax.axvspan(0.6, 0.8, color="yellow", alpha=0.3)
ax.axhspan(0.1, 0.2, facecolor="#abcdef")
ax.text(0.1, 0.9, "limit")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
ax.plot([0, 1], [0, 1], color="black")
ax.axhline(0.5, color="darkred")
ax.axvspan(0.6, 0.8, color="gold", alpha=0.5)
ax.text(0.1, 0.9, "limit")
