import random
import time

import matplotlib.pyplot as plt
import numpy as np

for _ in range(3):
    time.sleep(0.4)
plt.plot(np.random.default_rng().random(20), [random.random() for _ in range(20)], "o")
plt.show()
