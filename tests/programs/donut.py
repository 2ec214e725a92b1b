import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(5, 5), subplot_kw=dict(aspect="equal"))
wedges, texts = ax.pie([225, 90, 50, 60], wedgeprops=dict(width=0.4, edgecolor="w"), startangle=-40)
ax.legend(wedges, ["flour", "sugar", "butter", "berries"], title="Recipe", loc="center left",
          bbox_to_anchor=(1, 0, 0.5, 1))
plt.savefig("donut.pdf", bbox_inches="tight")
