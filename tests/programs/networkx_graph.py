import matplotlib.pyplot as plt
import networkx as nx

graph = nx.karate_club_graph()
nx.draw(graph, nx.circular_layout(graph), with_labels=True, node_color="skyblue", node_size=200, font_size=7)
plt.savefig("graph.png")
