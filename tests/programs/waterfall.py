import matplotlib.pyplot as plt

steps = {"Start": 100, "Sales": 45, "Returns": -20, "Costs": -35, "End": 90}
total = 0
for i, (name, value) in enumerate(steps.items()):
    if name in ("Start", "End"):
        plt.bar(i, value, color="gray")
        total = value
    else:
        plt.bar(i, value, bottom=total, color="green" if value > 0 else "red")
        total += value
    plt.text(i, max(total, 0) + 2, f"{value:+d}", ha="center")
plt.xticks(range(len(steps)), list(steps))
plt.savefig("waterfall.png", dpi=300)
