import matplotlib.pyplot as plt
import numpy as np

y, x = np.mgrid[0:3, 0:3]
plt.quiver(x, y, np.ones((3, 3)), np.zeros((3, 3)), color="blue")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

y, x = np.mgrid[0:3, 0:3]
plt.quiver(x, y, np.ones((3, 3)), np.ones((3, 3)), color=["navy", "blue", "cyan"])
