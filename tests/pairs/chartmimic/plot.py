import matplotlib.pyplot as plt
import numpy as np

x = np.linspace(0, 6, 30)
for k, colour in enumerate(["b", "g", "r", "c"]):
    plt.plot(x, np.sin(x + k), color=colour, label=f"phase {k}")
plt.legend()
plt.grid(True)
plt.title("Waves\nof four phases")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

x = np.linspace(0, 6, 30)
for k in range(3):
    plt.plot(x, np.sin(x + k), label=f"phase {k}")
plt.legend()
plt.title("Waves\nof three phases")
