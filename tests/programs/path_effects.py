import matplotlib.patheffects as pe
import matplotlib.pyplot as plt

fig = plt.figure(figsize=(5, 1.5))
fig.text(0.5, 0.5, "Outlined", ha="center", va="center", fontsize=32, color="white",
         path_effects=[pe.withStroke(linewidth=4, foreground="navy"), pe.withSimplePatchShadow()])
plt.show()
