import matplotlib.pyplot as plt
import numpy as np

plt.plot([1, 2], color="red")
plt.title("kept")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.plot([1, 2], color="red")
plt.title("kept")
plt.show()
plt.bar([1, 2], [3, 4])
plt.title("never seen")
