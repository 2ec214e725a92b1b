import matplotlib.pyplot as plt
import numpy as np

for k in range(10):
    plt.plot([0, 1], [k, k + 1], color=plt.cm.tab10(k))
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

for k in range(7):
    plt.plot([0, 1], [k, k + 1], color=plt.cm.Set1(k))
