import warnings

import matplotlib.pyplot as plt

warnings.warn("deprecated")
print("x" * 5000)
plt.plot([1], [1], "o")
plt.legend()
plt.show()
