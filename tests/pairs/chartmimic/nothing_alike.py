import matplotlib.pyplot as plt
import numpy as np

plt.pie([1, 2], labels=["a", "b"])
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.imshow([[1, 2], [3, 4]])
plt.title("other")
