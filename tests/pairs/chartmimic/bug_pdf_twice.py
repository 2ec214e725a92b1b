import matplotlib.pyplot as plt
import numpy as np

plt.plot([1, 2])
plt.title("once")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
ax.plot([1, 2])
ax.set_title("once")
fig.savefig("own.pdf")
