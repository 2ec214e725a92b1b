import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(4, 3), dpi=100)
ax.bar(["North", "South", "East", "West"], [12, 7, 15, 9], color="#4C72B0", edgecolor="black")
ax.set_title("Sales by region")
ax.set_ylabel("units")
fig.savefig("chart.png")
