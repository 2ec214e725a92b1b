import matplotlib.pyplot as plt
import numpy as np

plt.plot([1, 2])
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

plt.plot([1, 2])
plt.no_such_function()
