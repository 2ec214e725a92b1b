import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
ax.plot([1, 2, 3], label=r"$\alpha^2$ curve")
ax.set_xlabel("time [s]")
ax.text(1, 2, "two\nlines")
ax.text(1, 1, "")
ax.text(1, 1.5, "same")
ax.text(1, 1.7, "same")
ax.table(cellText=[["p", "q"]], loc="bottom")
fig.text(0.5, 0.98, "note")
ax.legend(title="key")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
ax.plot([1, 2, 3], label=r"$\alpha^2$ curve")
ax.set_xlabel("time (s)")
ax.text(1, 2, "two\nrows")
ax.text(1, 1.5, "same")
ax.legend()
