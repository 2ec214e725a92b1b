import matplotlib.pyplot as plt
import numpy as np

plt.boxplot([[1, 2, 3, 4], [2, 3, 4, 9]])
plt.title("boxes")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.boxplot([[1, 2, 3, 4], [2, 3, 4, 9]])
plt.title("boxes")
