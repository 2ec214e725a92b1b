import matplotlib.pyplot as plt
import numpy as np

plt.scatter([], [], color="red")
plt.plot([1, 2])
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.scatter([1], [1], color="red")
plt.plot([1, 2])
