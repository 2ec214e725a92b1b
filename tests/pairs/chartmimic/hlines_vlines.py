import matplotlib.pyplot as plt
import numpy as np

plt.hlines([1, 2, 3], 0, [3, 2, 1], colors=["red", "green", "blue"])
plt.vlines([1, 2], 0, 2, color="black", lw=3)
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.hlines([1, 2, 3], 0, [3, 2, 1], colors=["red", "lime", "navy"])
plt.vlines([1, 2], 0, 2, color="dimgray")
plt.vlines([3], 0, 2, color="white")
