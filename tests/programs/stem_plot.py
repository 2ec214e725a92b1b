import matplotlib.pyplot as plt
import numpy as np

x = np.linspace(0.1, 2 * np.pi, 41)
markers, stems, base = plt.stem(x, np.exp(np.sin(x)), linefmt="grey", markerfmt="D", bottom=1.1)
markers.set_markerfacecolor("none")
plt.show()
