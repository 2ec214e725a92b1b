import matplotlib.pyplot as plt
import numpy as np

plt.plot([1, 2], color="red")
plt.bar([1, 2], [1, 2], color="blue")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

try:
    plt.scatter([1, 2], [1, 2, 3])
except ValueError:
    pass
plt.plot([1, 2], color="red")
plt.bar([1, 2], [1, 2], color="blue")
