import matplotlib.pyplot as plt
import numpy as np

x = np.arange(4)
plt.bar(x - 0.2, [1, 2, 3, 4], 0.4, color="#4c72b0", label="men")
plt.bar(x + 0.2, [2, 2, 2, 1], 0.4, color="#dd8452", label="women")
plt.xticks(x, ["N", "E", "S", "W"])
plt.legend(title="sex")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

x = np.arange(4)
plt.bar(x, [1, 2, 3, 4], color="C0", label="men")
plt.bar(x, [2, 2, 2, 1], bottom=[1, 2, 3, 4], color="C1", label="women")
plt.legend()
