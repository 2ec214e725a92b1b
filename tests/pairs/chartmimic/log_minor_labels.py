import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
ax.loglog([2, 3, 8], [2, 5, 7])
ax.set_title("short decades")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
ax.plot([2, 3, 8], [2, 5, 7])
ax.set_yscale("log")
ax.set_title("short decades")
