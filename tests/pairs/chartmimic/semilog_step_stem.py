import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots(1, 3)
ax[0].semilogy([1, 10, 100], color="purple")
ax[1].step([1, 2, 3], [3, 1, 2], color="orange")
ax[2].stem([1, 2, 3], [3, 1, 2])
fig.suptitle("three scales")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots(3, 1)
ax[0].plot([1, 10, 100], color="purple")
ax[1].step([1, 2, 3], [3, 1, 2], color="red")
ax[2].stem([1, 2, 3], [3, 1, 2])
fig.suptitle("three scales")
