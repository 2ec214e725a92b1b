import matplotlib.pyplot as plt
import numpy as np

plt.plot([1, 2], color="red")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

fig = plt.figure()
fig.text(0.5, 0.5, "sorry")
