import matplotlib.pyplot as plt
import numpy as np

x = np.linspace(0, 3, 20)
plt.fill_between(x, x, x ** 2, color="skyblue", alpha=0.5, label="band")
plt.fill_betweenx(x, 0, x / 2, color="tomato")
plt.stackplot(x, x, x + 1, colors=["#123456", "#654321"], labels=["p", "q"])
plt.legend(loc="upper left")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

x = np.linspace(0, 3, 20)
plt.fill_between(x, x, x ** 2, color="deepskyblue", label="band")
plt.stackplot(x, x, x + 1, labels=["p", "q"])
plt.legend(loc="upper left")
