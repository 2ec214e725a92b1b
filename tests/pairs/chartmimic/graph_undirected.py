import matplotlib.pyplot as plt
import numpy as np

import networkx as nx
G = nx.cycle_graph(5)
pos = nx.circular_layout(G)
nx.draw_networkx_nodes(G, pos, node_color=["red", "red", "blue", "blue", "green"])
nx.draw_networkx_edges(G, pos, edge_color="gray", width=2)
nx.draw_networkx_labels(G, pos, font_color="white")
plt.axis("off")
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

import networkx as nx
G = nx.cycle_graph(5)
pos = nx.circular_layout(G)
nx.draw_networkx_nodes(G, pos, node_color="skyblue")
nx.draw_networkx_edges(G, pos)
nx.draw_networkx_labels(G, pos, {0: "0", 1: "1", 2: "two"})
plt.axis("off")
